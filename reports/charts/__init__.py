"""Figures as inline SVG from the server: pure functions from data to markup.

x is in per cent and y in pixels, so that text never scales; colours and margins are classes of `zsk.css`.
"""
