"""The steps of a call plan, one small machine each, all of the same form.

`enter(call, step, now) -> Turn` begins the step; `advance(call, state, event, now) -> Turn` takes one event.
A turn with an outcome ends the step: the call machine (machine.py) then walks on. What all steps share (the
caller leaving, the dead-man timer, legs that end) the call machine has dealt with before a step sees the
event.
"""
