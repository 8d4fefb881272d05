;; Wants a table of ten million entries from the start.
(table 10000000 funcref)
