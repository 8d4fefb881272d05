//! The contract as Rust types, generated from `wit/` at compile time. Parameters are borrowed: lowering copies them
//! into the guest anyway.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "full-plugin",
    ownership: Borrowing { duplicate_if_necessary: false },
});
