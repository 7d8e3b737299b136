//! The resource: what is said of the program, its process and its machine, once for all of its spans.

use std::process;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PID: Key = Key::from_static_str("process.pid");
const INSTANCE: Key = Key::from_static_str("service.instance.id");

/// The resource of a program, as it was described in one of its processes.
pub(super) struct Described {
    resource: Resource,
    process: u32,
    /// The id of the service's instance that was detected, if the program or the environment gives no other.
    instance: Option<Value>,
}

impl Described {
    /// What the environment and the program say wins over what is detected, and `OTEL_SERVICE_NAME` over all other names.
    /// A recorder of Spandrel's own names itself as the conventions for `telemetry.sdk.*` say; a distribution of
    /// OpenTelemetry's SDK has a name beside that.
    pub(super) fn new(own: Vec<KeyValue>, service: Option<String>, is_native: bool) -> Self {
        let detected = detected::attributes();
        let instance = detected.iter().find(|attribute| attribute.key == INSTANCE);
        let instance = instance.map(|attribute| attribute.value.clone());
        let resource = Resource::builder_empty().with_attributes(detected);
        let resource = if is_native {
            resource.with_attributes(own).with_attributes([
                KeyValue::new("telemetry.sdk.name", NAME),
                KeyValue::new("telemetry.sdk.language", "rust"),
                KeyValue::new("telemetry.sdk.version", VERSION),
            ])
        } else {
            resource
                .with_attributes([
                    KeyValue::new("telemetry.distro.name", NAME),
                    KeyValue::new("telemetry.distro.version", VERSION),
                ])
                .with_attributes(own)
                .with_detector(Box::new(TelemetryResourceDetector))
        };
        let resource = match service {
            Some(service) => resource.with_service_name(service).build(),
            None => resource.build(),
        };
        let instance =
            instance.filter(|detected| resource.get(&INSTANCE).as_ref() == Some(detected));
        Self { resource, process: process::id(), instance }
    }

    /// The resource of this process: a child of `fork` has an id of its own, and is an instance of its own.
    pub(super) fn of_this_process(&self) -> Resource {
        if self.process == process::id() {
            return self.resource.clone();
        }
        let resource = Resource::builder_empty().with_attributes(attributes_of(&self.resource));
        let described_pid = Value::I64(self.process.into());
        let pid = self.resource.get(&PID).filter(|pid| *pid == described_pid);
        let pid = pid.map(|_| KeyValue::new(PID, i64::from(process::id())));
        let instance =
            self.instance.as_ref().map(|_| KeyValue::new(INSTANCE, detected::new_instance()));
        resource.with_attributes(pid).with_attributes(instance).build()
    }
}

fn attributes_of(resource: &Resource) -> impl Iterator<Item = KeyValue> {
    resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
}

#[cfg(not(feature = "resource"))]
mod detected {
    use opentelemetry::KeyValue;

    pub(super) fn attributes() -> Vec<KeyValue> {
        Vec::new()
    }

    /// Never called: no instance is detected.
    pub(super) fn new_instance() -> String {
        String::new()
    }
}

#[cfg(feature = "resource")]
mod detected {
    use std::env::{self, consts};
    use std::process;

    use opentelemetry::trace::TraceId;
    use opentelemetry::{Key, KeyValue};
    use opentelemetry_resource_detectors::{
        ContainerResourceDetector, OsResourceDetector, ServiceInstanceIdResourceDetector,
    };
    use opentelemetry_sdk::resource::ResourceDetector;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::{PID, attributes_of};

    /// What can be found out without starting another process. The arguments of the process are left out: they may be
    /// secret.
    pub(super) fn attributes() -> Vec<KeyValue> {
        let mut attributes: Vec<KeyValue> = Vec::new();
        attributes.extend(attributes_of(&ServiceInstanceIdResourceDetector.detect()));
        attributes.extend(attributes_of(&OsResourceDetector.detect()));
        let container = ContainerResourceDetector.detect();
        let is_contained = container.get(&Key::from_static_str("container.id")).is_some();
        attributes.extend(attributes_of(&container));
        attributes.push(KeyValue::new(PID, i64::from(process::id())));
        let executable = env::current_exe().ok();
        let executable = executable.as_ref().and_then(|path| path.file_name());
        let executable = executable.map(|name| name.to_string_lossy().into_owned());
        attributes.extend(executable.map(|name| KeyValue::new("process.executable.name", name)));
        attributes.push(KeyValue::new("host.arch", architecture()));
        attributes.extend(host_name().map(|name| KeyValue::new("host.name", name)));
        // In a container, that file is the image's.
        let id = if is_contained { None } else { machine_id() };
        attributes.extend(id.map(|id| KeyValue::new("host.id", id)));
        attributes
    }

    /// By the names of the semantic conventions.
    fn architecture() -> &'static str {
        match consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "arm" => "arm32",
            "powerpc" => "ppc32",
            "powerpc64" => "ppc64",
            other => other,
        }
    }

    #[cfg(unix)]
    fn host_name() -> Option<String> {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Some(name).filter(|name| !name.is_empty())
    }

    #[cfg(not(unix))]
    fn host_name() -> Option<String> {
        env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
    }

    fn machine_id() -> Option<String> {
        let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
        let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
        texts.map(|text| text.trim().to_owned()).find(|id| !id.is_empty())
    }

    /// A random UUID, version 4. Not by the recorder's generator: the exporter's thread asks for it while the recorder starts
    /// over in a child of `fork`, and waits for this thread.
    pub(super) fn new_instance() -> String {
        let mut bytes = SmallRng::from_os_rng().random::<u128>().to_be_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = TraceId::from_bytes(bytes).to_string();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}
