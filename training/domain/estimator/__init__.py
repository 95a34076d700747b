"""The formulas for time, memory, cost and their intervals.

No database: training/estimates supplies the data.
"""
