// Scratch on the stack is written before it is read: clearing it would cost a small network more than its arithmetic.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
