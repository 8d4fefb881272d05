;; A reference to a function is one instruction and a call into the host. What it costs shows here.
(elem declare func $nobody) (func $nobody)
(func $misbehave (param i32)
  (loop $more
    (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) (drop (ref.func $nobody)) 
    (br $more)))
