(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) unreachable)
