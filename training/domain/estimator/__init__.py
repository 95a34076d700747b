"""The formulas: time, memory, cost and their ranges, from facts alone.

No database: training/estimates brings the facts.
"""
