"""What leaves the building: the PDF report and its machine-readable twins."""
