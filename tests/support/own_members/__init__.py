"""What somebody writes who follows a recipe of CONTRIBUTING.md: one file for each kind that has no entry point."""
