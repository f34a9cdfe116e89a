//! The job: a line for each module, variable and word. No value may contain a line end.

/// What L1 does.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Job {
    /// Kernel modules to load, in this order.
    pub modules: Vec<String>,
    /// The folder in which the program starts.
    pub folder: String,
    /// The program's environment.
    pub variables: Vec<(String, String)>,
    /// The program of a guest that is held stopped while the job runs, and its arguments.
    pub holder: Vec<String>,
    /// The program and its arguments.
    pub program: Vec<String>,
}

impl Job {
    /// The file.
    ///
    /// # Errors
    /// The value that contains a line end.
    pub fn text(&self) -> Result<String, String> {
        let variables = self.variables.iter().map(|(name, value)| ("set", format!("{name}={value}")));
        let lines = words("module", &self.modules)
            .chain([("folder", self.folder.clone())])
            .chain(variables)
            .chain(words("hold", &self.holder))
            .chain(words("run", &self.program));
        let mut text = String::new();
        for (key, value) in lines {
            if value.contains(['\n', '\r']) {
                return Err(value);
            }
            text += &format!("{key} {value}\n");
        }
        Ok(text)
    }

    /// The job of a file.
    ///
    /// # Errors
    /// The first line that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut job = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').ok_or_else(|| line.to_owned())?;
            let value = value.to_owned();
            match key {
                "module" => job.modules.push(value),
                "folder" => job.folder = value,
                "set" => {
                    let (name, value) = value.split_once('=').ok_or_else(|| line.to_owned())?;
                    job.variables.push((name.to_owned(), value.to_owned()));
                }
                "hold" => job.holder.push(value),
                "run" => job.program.push(value),
                _ => return Err(line.to_owned()),
            }
        }
        Ok(job)
    }
}

fn words<'a>(key: &'a str, values: &'a [String]) -> impl Iterator<Item = (&'a str, String)> {
    values.iter().map(move |value| (key, value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let job = Job {
            modules: words(&["/m/irqbypass.ko", "/m/kvm.ko"]),
            folder: "/a folder".to_owned(),
            variables: vec![("A".to_owned(), "b=c d".to_owned()), ("EMPTY".to_owned(), String::new())],
            holder: words(&["/q", "-S"]),
            program: words(&["/p", "", "two words"]),
        };
        assert_eq!(Job::parse(&job.text().unwrap()), Ok(job.clone()));
        assert_eq!(Job::parse("run\n"), Err("run".to_owned()));
        assert_eq!(Job::parse("walk x\n"), Err("walk x".to_owned()));
        let broken = Job { folder: "a\nb".to_owned(), ..job };
        assert_eq!(broken.text(), Err("a\nb".to_owned()));
    }
}
