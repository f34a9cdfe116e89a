//! A table of handles, changed at random, against a plain list of what was granted: a handle names its object from when it was
//! given until it was closed, its object while it is not revoked, and a number that was never given names nothing.

use std::cell::Cell;
use std::rc::Rc;

use abi::object::{HANDLES, Handle, HandleRight, Kind, Rights, Status};
use kernel::task::table::{Object, Table};

use crate::input::Input;

/// An object.
#[derive(Clone)]
struct Thing {
    number: usize,
    kind: Kind,
    revoked: Rc<Cell<bool>>,
}

impl Object for Thing {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn is_revoked(&self) -> bool {
        self.revoked.get()
    }
}

/// A handle that was given.
struct Given {
    handle: Handle,
    thing: Thing,
    rights: Rights,
    is_closed: bool,
}

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let mut table = Table::default();
    let mut given: Vec<Given> = Vec::new();
    let mut things = 0;
    while !input.is_empty() && given.len() < 400 {
        let (step, which, bits) =
            (input.byte() % 6, usize::from(input.byte()), Rights::from_bits(input.word().into()));
        let live = given.iter().filter(|of| !of.is_closed).count();
        let place = if given.is_empty() { 0 } else { which % given.len() };
        match (step, given.get(place)) {
            (0, _) => {
                things += 1;
                let kind = Kind::ALL[1 + which % (Kind::ALL.len() - 1)];
                let thing = Thing { number: things, kind, revoked: Rc::default() };
                match table.insert(thing.clone(), bits) {
                    Ok(handle) => given.push(Given { handle, thing, rights: bits, is_closed: false }),
                    Err(status) => assert_eq!((status, live), (Status::Full, HANDLES)),
                }
            }
            (1, Some(of)) => {
                let closed = table.close(of.handle, of.thing.kind as u8);
                assert_eq!(closed.ok().map(|(thing, rights)| (thing.number, rights)), named(of, |_| true));
                given[place].is_closed = true;
            }
            (2, Some(of)) => {
                let (thing, rights) = (of.thing.clone(), of.rights.and(bits));
                let is_good = named(of, |of| !of.thing.revoked.get()).is_some();
                match table.copy(of.handle, thing.kind as u8, bits) {
                    Ok(handle) => {
                        assert!(is_good && of.rights.has(HandleRight::Copy));
                        given.push(Given { handle, thing, rights, is_closed: false });
                    }
                    Err(Status::Full) => assert_eq!(live, HANDLES),
                    Err(Status::Right) => assert!(is_good && !of.rights.has(HandleRight::Copy)),
                    Err(status) => assert_eq!((status, is_good), (Status::Generation, false)),
                }
            }
            (3, Some(of)) => of.thing.revoked.set(true),
            (4, Some(of)) => {
                // Any other bits of a handle that was given.
                let other = Handle(of.handle.0 ^ input.long());
                let known = given.iter().find(|one| one.handle == other);
                let expected = known.and_then(|of| named(of, |of| !of.thing.revoked.get()));
                for kind in Kind::ALL {
                    let found =
                        table.find(other, *kind as u8).ok().map(|(thing, rights)| (thing.number, rights));
                    let fits = known.is_some_and(|of| of.thing.kind == *kind);
                    assert_eq!(found, expected.filter(|_| fits), "{other:?}");
                }
            }
            _ => {}
        }
        assert_eq!(table.used(), given.iter().filter(|of| !of.is_closed).count());
        for of in &given {
            let found =
                table.find(of.handle, of.thing.kind as u8).map(|(thing, rights)| (thing.number, rights));
            assert_eq!(found.ok(), named(of, |of| !of.thing.revoked.get()));
        }
    }
}

/// What a handle names, if it is open and passes.
fn named(of: &Given, passes: impl Fn(&Given) -> bool) -> Option<(usize, Rights)> {
    (!of.is_closed && passes(of)).then_some((of.thing.number, of.rights))
}
