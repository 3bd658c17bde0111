"""Conversations with vendors, written down so that anybody may read them, and played again so that an adapter can be
held to what a vendor once really said.
"""
