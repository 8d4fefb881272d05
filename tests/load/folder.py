"""The plugin folder of a reload storm: every way in which a plugin's files are replaced, and what each must come to."""

import hashlib
import os
import shutil

PLUGINS = ("storm", "storm-two")
# What the component has without terms.
FLOOR = 0.6
GOOD_TERMS, BAD_TERMS = "[settings]\nfloor = 0.{}\n", "[settings]\nfloor = \"no number, {}\"\n"


class Folder:
    def __init__(self, folder, component, random):
        self.plugins, self.versions = folder / "plugins", folder / "versions"
        self.versions.mkdir()
        self.component, self.random, self.count, self.numbers = component, random, 0, {}
        # What each plugin's file holds now: the digest of a good version, `bad`, or `None` when it is not there.
        self.holds = dict.fromkeys(PLUGINS)
        self.terms_are_good, self.floor = True, FLOOR
        # What may serve while something is refused.
        self.may_serve = {name: {None} for name in PLUGINS}
        self.kinds = {
            "written in place": lambda: self.write(self.good("storm")),
            "renamed over": lambda: self.rename(self.good("storm")),
            "bad": lambda: self.write(self.bad(b"no component %d" % self.count)),
            "truncated": lambda: self.write(self.bad(self.version()[: len(self.component) // 2])),
            "deleted": self.delete,
            "link swapped": self.swap_link,
            "folder link swapped": self.swap_folder_link,
            "touched": self.touch,
            "good terms": self.write_good_terms,
            "bad terms": self.write_bad_terms,
            "both at once": self.both,
        }

    @property
    def file(self):
        return self.plugins / "storm.wasm"

    def begin(self):
        """Good versions of both, and no terms."""
        (self.plugins / "storm.toml").unlink(missing_ok=True)
        self.terms_are_good, self.floor = True, FLOOR
        self.both()
        self.allow()

    def replace(self, kind):
        self.count += 1
        self.kinds[kind]()
        self.allow()

    def allow(self):
        """What may serve for a while, now that the files are these."""
        for name in PLUGINS:
            if self.is_good(name) or self.holds[name] is None:
                self.may_serve[name].add(self.holds[name])

    def spoil(self):
        """Leaves a bad file, whatever there was."""
        self.count += 1
        self.rename(self.bad(b"spoilt"))

    def is_good(self, name):
        return self.holds[name] not in (None, "bad") and (name != "storm" or self.terms_are_good)

    def all_is_good(self):
        return all(map(self.is_good, PLUGINS))

    def number(self, digest):
        """When a version was made; -1 for none of ours."""
        return self.numbers.get(digest, -1)

    def differs(self, ready):
        """What differs from what must be, in words; nothing when all is as it must be."""
        serving = {plugin["name"]: plugin["digest"] for plugin in ready["plugins"]}
        for name in PLUGINS:
            serves, refused, holds = serving.get(name), ready["refused"].get(name), self.holds[name]
            told = f"`{name}` serves {serves}, refused is {refused}"
            if self.is_good(name) or holds is None:
                if serves != holds or refused:
                    return f"{told}, but its file holds {holds}"
            elif refused is None or serves not in self.may_serve[name]:
                return f"{told}, but its files are bad"
        # From here on nothing else may serve. What was deleted may come back as the last good one.
        for name in PLUGINS:
            if self.is_good(name):
                self.may_serve[name] = {serving[name]}
        return ""

    def version(self):
        """The component with a section that says nothing, so that each has a digest of its own."""
        payload = b"\x05storm" + str(self.count).encode() + self.random.randbytes(8)
        return self.component + b"\x00" + bytes([len(payload)]) + payload

    def good(self, name):
        component = self.version()
        self.holds[name] = hashlib.sha256(component).hexdigest()
        self.numbers[self.holds[name]] = self.count
        return component

    def bad(self, component):
        self.holds["storm"] = "bad"
        return component

    def write(self, component):
        """As `cp` does: in place, through a link if it is one."""
        self.file.write_bytes(component)

    def rename(self, component, name="storm"):
        part = self.plugins / f"{name}.wasm.part"
        part.write_bytes(component)
        part.rename(self.plugins / f"{name}.wasm")

    def delete(self):
        self.file.unlink(missing_ok=True)
        self.holds["storm"] = None

    def link(self, name, target):
        """Swaps a link without a moment in which there is none."""
        part = self.plugins / f"{name}.part"
        part.unlink(missing_ok=True)
        part.symlink_to(target)
        part.rename(self.plugins / name)

    def swap_link(self):
        target = self.versions / f"{self.count}.wasm"
        target.write_bytes(self.good("storm"))
        self.link("storm.wasm", f"../versions/{target.name}")

    def swap_folder_link(self):
        """As Kubernetes does: a new folder, then one rename of `..data`, through which both files are found."""
        folder, data = self.plugins / f"..{self.count}", self.plugins / "..data"
        folder.mkdir()
        for name in PLUGINS:
            (folder / f"{name}.wasm").write_bytes(self.good(name))
        old = data.resolve() if data.is_symlink() else None
        self.link("..data", folder.name)
        for name in PLUGINS:
            file = self.plugins / f"{name}.wasm"
            if not file.is_symlink() or os.readlink(file) != f"..data/{name}.wasm":
                self.link(file.name, f"..data/{name}.wasm")
        if old is not None:
            shutil.rmtree(old)

    def touch(self):
        for file in self.plugins.glob("storm*.*"):
            os.utime(file)

    def write_good_terms(self):
        (self.plugins / "storm.toml").write_text(GOOD_TERMS.format(self.count))
        self.terms_are_good, self.floor = True, float(f"0.{self.count}")

    def write_bad_terms(self):
        (self.plugins / "storm.toml").write_text(BAD_TERMS.format(self.count))
        self.terms_are_good = False

    def both(self):
        for name in PLUGINS:
            self.rename(self.good(name), name)
