"""Where the code that the model writes is run: a child process behind the walls of the operating system.

`executor.SandboxExecutor` is the parent's side; `child`, `walls`, `seccomp` and `frames` are all that the
child loads of Loupe, and need only the standard library.
"""
