"""What runs cost: charges, the monthly budget, the page and the API.

What a job will cost is in estimates/.
"""
