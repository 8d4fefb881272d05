;; Its start function takes memory without end.
(func $start (loop $more (drop (memory.grow (i32.const 8))) (br $more)))
(start $start)
