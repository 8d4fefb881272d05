;; World: cost-model-plugin
(func $misbehave (param i32) unreachable)
