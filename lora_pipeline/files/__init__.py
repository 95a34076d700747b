"""Files on their way: ranges of downloads, folders that change meanwhile, S3.

Which files there are is known by the apps.
"""
