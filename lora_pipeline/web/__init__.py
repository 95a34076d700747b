"""What every page and request shares: middleware, headers, addresses, rate limits.

No page of a feature is here.
"""
