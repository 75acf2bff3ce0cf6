"""The bound of a CPU variant from its own machine code: every instruction of a step, and how fast this core takes them.

`listing` compiles a variant and keeps the instructions that every step executes. `classes` names their kinds.
`independent` rewrites them so that none waits for another one. `probe` measures how long the core takes for the
rewritten instructions: of each class, of the classes that share a unit, and of all together. `bound` combines the times
and names the limit.
"""
