"""Jobs as users see them: making, steering, moving through their life.

Carrying one out is in runs/; estimating one in estimates/.
"""
