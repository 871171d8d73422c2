"""The sample's data, made from a seed and a scale alone: no clock, no chance, the same rows every time."""
