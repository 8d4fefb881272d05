;; Wants 3 MiB from the start, where a call may use 2.
(memory (export "memory") 48)
