"""Sees: images in, inspections out."""
