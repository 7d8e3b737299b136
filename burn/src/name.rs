//! What a device is called.

use std::sync::{Mutex, PoisonError};

use burn_tensor::Device;

/// `cuda:0`, and the product's name where it is known: `cuda:0 (NVIDIA H200)`. Found out once for
/// each device, and kept.
pub(crate) fn of(device: &Device) -> &'static str {
    static NAMES: Mutex<Vec<(Device, &str)>> = Mutex::new(Vec::new());
    let names = || NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = |names: &[(Device, &'static str)]| {
        names.iter().find(|(named, _)| named == device).map(|(_, name)| *name)
    };
    if let Some(name) = known(&names()) {
        return name;
    }
    // Not under the lock: it may open the device.
    let device = device.clone().without_autodiff();
    let name = full(&device);
    let mut names = names();
    known(&names).unwrap_or_else(|| {
        let name = &*name.leak();
        names.push((device, name));
        name
    })
}

fn full(device: &Device) -> String {
    let name = short(&format!("{device:?}"));
    match product(device) {
        Some(product) => format!("{name} ({product})"),
        None => name,
    }
}

#[cfg(feature = "cubecl")]
fn product(device: &Device) -> Option<String> {
    device.identity().map(|identity| identity.name)
}

#[cfg(not(feature = "cubecl"))]
fn product(_: &Device) -> Option<String> {
    None
}

/// Which backends there are is known where burn is built, and not here; but all call their devices by
/// a kind and a number in their `Debug`, inside of what they are a case of.
fn short(text: &str) -> String {
    let text = text.strip_prefix("Device<").and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    if let Some(("Cube", cube)) = inner(text)
        && let Some((runtime, device)) = inner(cube)
    {
        return of_cube(runtime, device);
    }
    let mut name = text;
    while let Some((_, device)) = inner(name) {
        if device.parse::<usize>().is_ok() {
            return numbered(name);
        }
        name = device;
    }
    numbered(name)
}

/// A device of `CubeCL`'s, by its runtime, or the API that it was asked to use.
fn of_cube(runtime: &str, device: &str) -> String {
    let wgpu = device.strip_prefix("WgpuDevice { kind: ").and_then(|rest| rest.strip_suffix(" }"));
    if let Some((kind, api)) = wgpu.and_then(|rest| rest.split_once(", backend: ")) {
        return of_cube(if api == "Auto" { runtime } else { api }, kind);
    }
    let runtime = if runtime == "Hip" { "rocm".to_owned() } else { runtime.to_lowercase() };
    match (device, inner(device)) {
        ("DefaultDevice" | "CpuDevice", _) => runtime,
        // The runtime says what it is.
        (_, Some(("Cuda" | "AmdDevice", index))) => format!("{runtime}:{index}"),
        _ => format!("{runtime}:{}", numbered(device)),
    }
}

/// What is in the parentheses after a word.
fn inner(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once('(')?;
    Some((kind, rest.strip_suffix(')')?))
}

/// `cuda:2` for `Cuda(2)`; what is no word stays as it is.
fn numbered(name: &str) -> String {
    match inner(name) {
        Some((kind, index)) => format!("{}:{index}", kind.to_lowercase()),
        None if name.chars().all(char::is_alphanumeric) => name.to_lowercase(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_short() {
        for (debug, name) in [
            ("Cube(Cuda(Cuda(0)))", "cuda:0"),
            ("Cube(Hip(AmdDevice(1)))", "rocm:1"),
            ("Cube(Metal(DefaultDevice))", "metal"),
            ("Cube(Metal(DiscreteGpu(1)))", "metal:discretegpu:1"),
            ("Cube(Cpu(CpuDevice))", "cpu"),
            (
                "Cube(Wgpu(WgpuDevice { kind: DiscreteGpu(1), backend: Auto }))",
                "wgpu:discretegpu:1",
            ),
            ("Cube(Wgpu(WgpuDevice { kind: DefaultDevice, backend: Vulkan }))", "vulkan"),
            ("Cube(Wgpu(WgpuDevice { kind: Cpu, backend: Gl }))", "gl:cpu"),
            ("Flex(Cpu)", "cpu"),
            ("LibTorch(Cuda(2))", "cuda:2"),
            ("LibTorch(Mps)", "mps"),
            ("Remote(a: 1, b)", "a: 1, b"),
        ] {
            assert_eq!(short(&format!("Device<{debug}>")), name);
        }
    }
}
