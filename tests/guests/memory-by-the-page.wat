;; One page at a time: cheap in fuel by default, slow in time.
(func $misbehave (param i32) (loop $more (drop (memory.grow (i32.const 1))) (br $more)))
