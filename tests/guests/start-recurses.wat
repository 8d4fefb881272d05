;; Its start function calls itself without end.
(func $start (call $start) (call $start))
(start $start)
