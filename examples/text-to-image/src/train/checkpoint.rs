use std::{fs, path::Path};

use burn::module::Module;
use burn::store::RecordError;

use super::Trainer;
use crate::Error;

impl Trainer {
    /// Goes on where [`save`](Self::save) was called last; a folder without a
    /// checkpoint is an error.
    ///
    /// # Errors
    ///
    /// [`Error::File`] and [`Error::Weights`] when the checkpoint cannot be read.
    pub fn resume(mut self, folder: &Path) -> Result<Self, Error> {
        // A run that was stopped between two renames has only the old one.
        let [last, old] = ["last", "old"].map(|name| folder.join(name));
        let last = if old.exists() && !last.exists() { old } else { last };
        let path = last.join("step");
        let step = fs::read_to_string(&path).map_err(|error| Error::file(&path, error))?;
        self.step = step.trim().parse().map_err(|error| Error::file(&path, error))?;
        let damaged = |error: RecordError| Error::Weights(error.to_string());
        self.model = self.model.try_load_file(last.join("model.bpk")).map_err(damaged)?;
        self.average = self.average.try_load_file(last.join("average.bpk")).map_err(damaged)?;
        self.optimizer = self.optimizer.load(last.join("optimizer.bpk")).map_err(damaged)?;
        Ok(self)
    }

    /// Writes a checkpoint in place of the last one, which stays until the new
    /// one is complete.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        let [last, next, old] = ["last", "next", "old"].map(|name| folder.join(name));
        let failed = |error: std::io::Error| Error::file(folder, error);
        if next.exists() {
            fs::remove_dir_all(&next).map_err(failed)?;
        }
        fs::create_dir_all(&next).map_err(failed)?;
        fs::write(next.join("step"), self.step.to_string()).map_err(failed)?;
        let failed = |error: RecordError| Error::file(folder, error);
        self.model.clone().save_file(next.join("model.bpk")).map_err(failed)?;
        self.average.clone().save_file(next.join("average.bpk")).map_err(failed)?;
        self.optimizer.save(next.join("optimizer.bpk")).map_err(failed)?;
        let failed = |error: std::io::Error| Error::file(folder, error);
        if last.exists() {
            if old.exists() {
                fs::remove_dir_all(&old).map_err(failed)?;
            }
            fs::rename(&last, &old).map_err(failed)?;
        }
        fs::rename(&next, &last).map_err(failed)?;
        if old.exists() { fs::remove_dir_all(&old).map_err(failed) } else { Ok(()) }
    }
}
