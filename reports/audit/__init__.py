"""audit.pdf: the drill for an auditor's file, with its evidence inside, to be kept for years."""
