"""The full-screen app: batch, conversation and picture side by side."""
