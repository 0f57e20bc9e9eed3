"""What is trained beside generators and directions, and by which rules."""
