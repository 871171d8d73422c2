"""Tests of the proof: each check is seen to find its own fault, or is called blind."""
