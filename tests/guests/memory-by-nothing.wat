;; Growing by no page is a call into the host that takes nothing: only its own price ends this.
(func $misbehave (param i32) (loop $more (drop (memory.grow (i32.const 0))) (br $more)))
