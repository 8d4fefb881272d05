;; Its start function never ends.
(func $start (loop $for_ever (br $for_ever)))
(start $start)
