//! What a file is, from its bytes: for authors who wonder why something is refused.
//!
//! Nothing is compiled and nothing runs here, so it also works for what no host would load: a core module, a component of
//! another contract, half a file. [`Sandbox::described`] goes one step further and calls `describe`, and nothing else.

use domain::digest::Digest;
use serde::Serialize;
use wasmparser::{Encoding, KnownCustom, Parser, Payload};

use crate::{engine::Sandbox, fault::bounded, load::LoadError, manifest::SettingInfo, outline::PACKAGE};

/// How the SDK says in a module which world it exports.
const WORLD_SECTION: &str = "component-type:";
/// Most names listed of a kind, most settings, and most producers: a report, not a copy.
const MOST: usize = 256;
const PAGE: u64 = 64 << 10;
/// Each world and the interfaces that it exports, the widest first.
const WORLDS: [(&str, &[&str]); 5] = [
    ("full-plugin", &["describe", "classifier", "cost-model", "strategy", "learner"]),
    ("learning-strategy-plugin", &["describe", "strategy", "learner"]),
    ("strategy-plugin", &["describe", "strategy"]),
    ("cost-model-plugin", &["describe", "cost-model"]),
    ("classifier-plugin", &["describe", "classifier"]),
];

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    Component,
    /// WebAssembly, but not yet a component.
    Module,
    /// WebAssembly in its text form.
    Text,
    Empty,
    /// Nothing that WebAssembly knows.
    Other,
}

/// What a file holds.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    pub kind: FileKind,
    pub size: usize,
    pub digest: String,
    /// Where reading had to stop, and why: the file is cut or damaged.
    pub damage: Option<String>,
    /// Worlds of the contract whose exports are all there.
    pub worlds: Vec<&'static str>,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    /// Worlds that a module names for the component it is to become.
    pub meant_for: Vec<&'static str>,
    pub sections: Sections,
    /// Memory from the start, in bytes.
    pub memory: u64,
    pub producers: Vec<Producer>,
}

/// Bytes by what they are. Together with a few of the format's own they add up to the size.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sections {
    pub code: usize,
    pub data: usize,
    /// Names of functions, for stack traces.
    pub names: usize,
    pub custom: usize,
    pub other: usize,
}

/// A tool that had a part in making the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub role: String,
    pub name: String,
    pub version: String,
}

/// Reads a file's outline.
#[must_use]
pub fn inspect(bytes: &[u8]) -> Inspection {
    let mut found = Inspection {
        kind: kind(bytes),
        size: bytes.len(),
        digest: Digest::of(bytes).to_string(),
        damage: None,
        worlds: Vec::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        meant_for: Vec::new(),
        sections: Sections::default(),
        memory: 0,
        producers: Vec::new(),
    };
    if matches!(found.kind, FileKind::Component | FileKind::Module) {
        if let Err(error) = found.read(bytes) {
            found.damage = Some(bounded(&error.to_string()));
        }
        let known = &found.sections;
        found.sections.other = found.size.saturating_sub(known.code + known.data + known.names + known.custom);
    }
    let ours: Vec<&str> = found.exports.iter().filter_map(|export| export.strip_prefix(PACKAGE)).collect();
    let exported = |interface: &str| ours.iter().any(|export| export.split('@').next() == Some(interface));
    let whole = WORLDS.iter().filter(|(_, interfaces)| interfaces.iter().all(|interface| exported(interface)));
    found.worlds = whole.map(|(world, _)| *world).collect();
    found
}

fn kind(bytes: &[u8]) -> FileKind {
    if bytes.is_empty() {
        return FileKind::Empty;
    }
    if Parser::is_component(bytes) {
        return FileKind::Component;
    }
    if Parser::is_core_wasm(bytes) || bytes.starts_with(b"\0asm") {
        return FileKind::Module;
    }
    let begins = bytes.trim_ascii_start();
    let text = [&b"(module"[..], b"(component", b";;", b"(;"].iter().any(|word| begins.starts_with(word));
    if text { FileKind::Text } else { FileKind::Other }
}

impl Inspection {
    fn read(&mut self, bytes: &[u8]) -> wasmparser::Result<()> {
        // What is open around a payload: imports and exports that matter are the outermost ones.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding == Encoding::Module {
                        self.kind = FileKind::Module;
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CodeSectionStart { range, .. } => self.sections.code += length(&range, bytes),
                Payload::DataSection(section) => self.sections.data += length(&section.range(), bytes),
                Payload::MemorySection(section) => {
                    for memory in section {
                        self.memory = self.memory.saturating_add(memory?.initial.saturating_mul(PAGE));
                    }
                }
                Payload::ImportSection(section) if depth == 1 => {
                    for import in section.into_imports() {
                        let import = import?;
                        note(&mut self.imports, &format!("{}#{}", import.module, import.name));
                    }
                }
                Payload::ExportSection(section) if depth == 1 => {
                    for export in section {
                        note(&mut self.exports, export?.name);
                    }
                }
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        note(&mut self.imports, import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        note(&mut self.exports, export?.name.name);
                    }
                }
                Payload::CustomSection(section) => {
                    let length = length(&section.range(), bytes);
                    let names = matches!(section.name(), "name" | "component-name");
                    *(if names { &mut self.sections.names } else { &mut self.sections.custom }) += length;
                    if let Some(name) = section.name().strip_prefix(WORLD_SECTION) {
                        let known = WORLDS.iter().find(|(world, _)| name.split(':').any(|part| part == *world));
                        self.meant_for.extend(known.map(|(world, _)| *world).filter(|_| self.meant_for.len() < MOST));
                    }
                    if let KnownCustom::Producers(producers) = section.as_known() {
                        self.note_producers(producers)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn note_producers(&mut self, producers: wasmparser::ProducersSectionReader<'_>) -> wasmparser::Result<()> {
        for field in producers {
            let field = field?;
            for value in field.values {
                let value = value?;
                let (role, name) = (field.name.to_owned(), bounded(value.name));
                let producer = Producer { role, name, version: bounded(value.version) };
                if self.producers.len() < MOST && !self.producers.contains(&producer) {
                    self.producers.push(producer);
                }
            }
        }
        Ok(())
    }
}

/// How much of a section is there: the file may be cut in the middle of it.
fn length(range: &std::ops::Range<u64>, bytes: &[u8]) -> usize {
    let end = range.end.min(bytes.len() as u64);
    usize::try_from(end.saturating_sub(range.start)).unwrap_or(bytes.len())
}

fn note(list: &mut Vec<String>, name: &str) {
    if list.len() < MOST {
        list.push(bounded(name));
    }
}

/// What a plugin says of itself, word for word.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub settings: Vec<SettingInfo>,
    /// Fields of a request that it asks for.
    pub reads: Vec<&'static str>,
    pub memory_format: u32,
}

impl Sandbox {
    /// Compiles a component and calls `describe`, and nothing else, under the usual limits.
    ///
    /// # Errors
    ///
    /// Why it cannot be asked.
    pub fn described(&self, bytes: &[u8]) -> Result<Described, LoadError> {
        let plugin = self.untried("plugin", bytes)?;
        let manifest = &plugin.code.manifest;
        Ok(Described {
            name: manifest.title.clone(),
            version: manifest.version.clone(),
            summary: manifest.summary.clone(),
            settings: manifest.settings.clone(),
            reads: manifest.reads.names(),
            memory_format: manifest.memory_format,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::BUNDLED;

    fn bundled(name: &str) -> &'static [u8] {
        BUNDLED.iter().find(|(bundled, _)| *bundled == name).expect("it is bundled").1
    }

    #[test]
    fn a_component_shows_its_outline_and_its_settings() {
        let bytes = bundled("hybrid");
        let found = inspect(bytes);
        assert_eq!((found.kind, found.damage.as_deref(), found.size), (FileKind::Component, None, bytes.len()));
        assert_eq!(found.worlds, ["strategy-plugin"]);
        assert!(found.exports.iter().any(|export| export == "muxel:plugin/strategy@0.1.0"), "{:?}", found.exports);
        let Sections { code, data, names, custom, other } = found.sections;
        assert!(code > 1_000 && data > 0, "{:?}", found.sections);
        assert_eq!(code + data + names + custom + other, found.size);
        assert_eq!(found.memory, 64 << 10);
        let sandbox = Sandbox::new(crate::Compiler::Here).expect("an engine");
        let described = sandbox.described(bytes).expect("it describes itself");
        assert_eq!(described.name, "hybrid");
        assert!(
            described
                .settings
                .iter()
                .all(|setting| matches!(setting.form, crate::SettingForm::Number { min: 0.0, .. }))
        );
        assert_eq!(sandbox.described(bundled("context-classifier")).expect("it does").reads, ["prompt"]);
    }

    #[test]
    fn what_no_host_would_load_is_named_for_what_it_is() {
        for (bytes, kind) in [
            (&b""[..], FileKind::Empty),
            (b"hello", FileKind::Other),
            (b"  (module)", FileKind::Text),
            (b"\0asm\x01\0\0\0", FileKind::Module),
            (b"\0asm\x0d\0\x01\0", FileKind::Component),
        ] {
            assert_eq!(inspect(bytes).kind, kind, "{bytes:?}");
        }
        let module = wat::parse_str("(module (import \"env\" \"now\" (func)) (memory 3) (func (export \"go\")))");
        let found = inspect(&module.expect("a module"));
        assert_eq!((found.imports, found.exports), (vec!["env#now".to_owned()], vec!["go".to_owned()]));
        assert_eq!(found.memory, 3 * PAGE);
    }

    #[test]
    fn a_cut_file_is_damaged_wherever_it_is_cut() {
        let bytes = bundled("cheapest");
        for end in (9..bytes.len()).step_by(97) {
            let found = inspect(&bytes[..end]);
            // Between two of its sections it ends like a whole one, which then exports nothing.
            assert!(found.damage.is_some() || found.worlds.is_empty(), "cut at {end}");
            let Sections { code, data, names, custom, other } = found.sections;
            assert_eq!(code + data + names + custom + other, end);
        }
        let sandbox = Sandbox::new(crate::Compiler::Here).expect("an engine");
        assert!(sandbox.described(&bytes[..bytes.len() / 2]).is_err());
        assert!(sandbox.described(b"\0asm\x0d\0\x01\0").is_err_and(|why| why.code() == "no-contract"));
    }
}
