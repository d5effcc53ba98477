"""Asterisk's REST Interface: models generated from its api-docs, and the one connection that speaks it."""
