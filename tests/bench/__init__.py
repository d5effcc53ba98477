"""What a call costs, beside what a user would pick instead: `make bench`.

Read in this order: `peers` (who is measured), `load` (with what), `rounds` (how), `standing` and `deciding`
(further figures), `budget` and `table` (the judgement).
"""
