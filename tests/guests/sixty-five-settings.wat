;; One setting more than is allowed: 65, all of them zeros.
(data (i32.const 1048) "\00\10\00\00\41\00\00\00")
(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
