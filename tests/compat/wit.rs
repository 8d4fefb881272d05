//! The contract in `wit/` beside its published versions.
//!
//! Two questions, as one check alone would miss something: can today's host load what was built for the old contract, and
//! is each published type and function still what it was. The first is the component model's own rule; the second also
//! sees a field that only a host would miss.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, targets};
use wit_parser::{
    Function, InterfaceId, PackageId, Resolve, Type, TypeDefKind, WorldItem,
    abi::{AbiVariant, WasmType},
};

const PUBLISHED: [(&str, &str); 1] = [("0.1.0", include_str!("0.1.0/plugin.wit"))];

const WORLDS: [&str; 5] =
    ["classifier-plugin", "cost-model-plugin", "strategy-plugin", "learning-strategy-plugin", "full-plugin"];

/// One contract, parsed.
struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    fn today() -> Self {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/plugin.wit");
        Self::parse(&std::fs::read_to_string(wit).expect("the contract is there"))
    }

    fn parse(text: &str) -> Self {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("plugin.wit", text).unwrap_or_else(|error| panic!("{error:#}"));
        // Versions are compared by what is in them.
        resolve.packages[package].name.version = None;
        Self { resolve, package }
    }

    /// The smallest component that exports a world.
    fn component(&self, world: &str) -> Vec<u8> {
        let resolve = &self.resolve;
        let id = resolve.select_world(&[self.package], Some(world)).unwrap_or_else(|error| panic!("{error:#}"));
        let mut text = "(memory (export \"memory\") 1)
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)"
            .to_owned();
        for (key, item) in &resolve.worlds[id].exports {
            let WorldItem::Interface { id, .. } = item else { continue };
            for function in resolve.interfaces[*id].functions.values() {
                let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
                let name = format!("{}#{}", resolve.name_world_key(key), function.name);
                let (params, results) = (words(&signature.params), words(&signature.results));
                text += &format!("(func (export \"{name}\") (param {params}) (result {results}) unreachable)");
            }
        }
        let mut module = wat::parse_str(&text).expect("well-formed");
        embed_component_metadata(&mut module, resolve, id, StringEncoding::UTF8).expect("metadata fits");
        let mut encoder = ComponentEncoder::default();
        encoder.module(&module).and_then(|encoder| encoder.encode()).expect("it is encoded")
    }

    /// Whether a host of this contract can use what was built for `old`.
    fn loads(&self, old: &Self, world: &str) -> Result<(), String> {
        let id = self.resolve.select_world(&[self.package], Some(world)).map_err(|error| format!("{error:#}"))?;
        targets(&self.resolve, id, &old.component(world)).map_err(|error| format!("{world}: {error:#}"))
    }

    /// Every type and function, each as one line.
    fn lines(&self) -> Vec<String> {
        let interfaces = &self.resolve.packages[self.package].interfaces;
        interfaces.iter().flat_map(|(name, id)| self.lines_of(name, *id)).collect()
    }

    fn lines_of(&self, name: &str, id: InterfaceId) -> Vec<String> {
        let interface = &self.resolve.interfaces[id];
        let types = interface
            .types
            .iter()
            .map(|(word, id)| format!("{name}.{word} = {}", self.kind(&self.resolve.types[*id].kind)));
        let functions = interface.functions.values().map(|function| format!("{name}.{}", self.function(function)));
        types.chain(functions).collect()
    }

    fn function(&self, function: &Function) -> String {
        let params = function.params.iter().map(|param| format!("{}: {}", param.name, self.shape(&param.ty)));
        let result = function.result.as_ref().map(|result| self.shape(result));
        format!("{}({}) -> {result:?}", function.name, params.collect::<Vec<_>>().join(", "))
    }

    /// A type by its name where it has one, else by what it is made of.
    fn shape(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else { return format!("{ty:?}") };
        let definition = &self.resolve.types[*id];
        definition.name.clone().unwrap_or_else(|| self.kind(&definition.kind))
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let list = |parts: Vec<String>| parts.join(", ");
        let perhaps = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| self.shape(ty));
        match kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, self.shape(&field.ty)));
                format!("record {{{}}}", list(fields.collect()))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| format!("{}({})", case.name, perhaps(&case.ty)));
                format!("variant {{{}}}", list(cases.collect()))
            }
            TypeDefKind::Enum(cases) => {
                format!("enum {{{}}}", list(cases.cases.iter().map(|case| case.name.clone()).collect()))
            }
            TypeDefKind::Option(ty) => format!("option<{}>", self.shape(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.shape(ty)),
            TypeDefKind::Result(result) => format!("result<{}, {}>", perhaps(&result.ok), perhaps(&result.err)),
            TypeDefKind::Type(ty) => self.shape(ty),
            other => panic!("say here how `{}` is compared", other.as_str()),
        }
    }
}

fn words(types: &[WasmType]) -> String {
    let word = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    };
    types.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Everything that a plugin built for `old` would miss in `new`.
fn breaks(old: &Contract, new: &Contract) -> Vec<String> {
    let today = new.lines();
    let changed = old.lines().into_iter().filter(|line| !today.contains(line)).map(|line| format!("gone: {line}"));
    changed.chain(WORLDS.iter().filter_map(|world| new.loads(old, world).err())).collect()
}

#[test]
fn what_was_published_is_still_there_as_it_was() {
    for (version, text) in PUBLISHED {
        let broken = breaks(&Contract::parse(text), &Contract::today());
        assert!(broken.is_empty(), "against {version}:\n{}", broken.join("\n"));
    }
}

#[test]
fn a_change_of_what_was_published_is_seen() {
    let (_, published) = PUBLISHED[0];
    let old = Contract::parse(published);
    for (what, from, to) in [
        ("a field removed", "        deviation: f32,\n", ""),
        ("a field added", "        score: f32,\n", "        score: f32,\n        weight: f32,\n"),
        (
            "a field of another type",
            "        propensity: f32,\n    }\n\n    /// What happened.",
            "        propensity: f64,\n    }\n\n    /// What happened.",
        ),
        ("a field renamed", "        half-open: bool,", "        is-half-open: bool,"),
        ("fields in another order", "        expected: micro-usd,", "        extra: micro-usd,"),
        (
            "a case added to a variant",
            "        abstain(string),\n",
            "        abstain(string),\n        postpone(string),\n",
        ),
        ("a word added to an enum", "enum priority { low,", "enum priority { lowest, low,"),
        ("an alias of another width", "type micro-usd = u32;", "type micro-usd = u64;"),
        ("a function renamed", "    describe: func() -> manifest;", "    explain: func() -> manifest;"),
        (
            "a parameter renamed",
            "        settings: list<value>,\n        offers",
            "        options: list<value>,\n        offers",
        ),
        ("a parameter less", "        columns: list<column>,\n    ) -> result<ranking", "    ) -> result<ranking"),
    ] {
        let changed = published.replacen(from, to, 1);
        assert_ne!(changed, published, "{what}: the contract has no such text");
        let broken = breaks(&old, &Contract::parse(&changed));
        assert!(!broken.is_empty(), "{what} went unseen");
    }
}

#[test]
fn growth_is_no_change() {
    let (_, published) = PUBLISHED[0];
    let grown = format!(
        "{published}\ninterface guard {{ use types.{{request}}; admit: func(request: request) -> bool; }}\n\
         world guard-plugin {{ export describe; export guard; }}\n"
    );
    assert_eq!(breaks(&Contract::parse(published), &Contract::parse(&grown)), Vec::<String>::new());
}
