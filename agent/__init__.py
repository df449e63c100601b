"""The inspection agent: model backends, sandbox, toolbox, memory and sessions."""
