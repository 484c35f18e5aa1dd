"""Class-incremental learners of images, in which the encoder is trained."""
