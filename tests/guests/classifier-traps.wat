;; World: classifier-plugin
(func $misbehave (param i32) unreachable)
