"""A readable device name from a User-Agent header."""

# First match wins: Edge and Opera also say Chrome, Chrome also says Safari, and
# Android also says Linux.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
LONGEST = 60


def device_of(user_agent: str) -> str:
    """For example `Firefox on Linux`; the raw header for unknown clients."""
    browser = next((BROWSERS[s] for s in BROWSERS if s in user_agent), "")
    system = next((SYSTEMS[s] for s in SYSTEMS if s in user_agent), "")
    if not browser:
        return user_agent[:LONGEST] or "Unknown device"
    return f"{browser} on {system}" if system else browser
