"""What a comparison found, in numbers and in words, and as JSON and CSV."""
