"""Journeys in a real browser: Debian's Chromium, driven by Playwright. Nothing but loopback is reached."""
