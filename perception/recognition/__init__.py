"""What a `Recogniser` is made of: its samples of tasks, the evidence they give, and the calibration of that evidence."""
