"""What the Accuracy and the About page say."""
