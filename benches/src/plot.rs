//! What was measured, as a plot.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::table::Table;

/// The most important rows, each with a diagram.
const ROWS: [&str; 5] = [
    "Sampled/Tree",
    "Tree in bursts of 3300; recording threads",
    "http/protobuf, none",
    "http/protobuf, gzip",
    "saturated, spans a request: 10; requests a second",
];
const WIDTH: u32 = 760;
const HEIGHT: u32 = 150;
const OURS: RGBColor = RGBColor(53, 102, 214);
const OTHERS: RGBColor = RGBColor(160, 160, 168);

pub(crate) fn write(tables: &[Table], path: &Path) -> Result<(), Box<dyn Error>> {
    let plots: Vec<_> = ROWS.iter().filter_map(|row| Some((*row, bars(tables, row)?))).collect();
    let height = HEIGHT * u32::try_from(plots.len().max(1))?;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    for ((row, (title, bars)), area) in plots.iter().zip(area.split_evenly((plots.len().max(1), 1)))
    {
        let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let count = i32::try_from(bars.len())?;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("{title}: {row}"), ("sans-serif", 14))
            .margin(8)
            .y_label_area_size(130)
            .build_cartesian_2d(0.0..1.15 * most, (0..count).into_segmented())?;
        let name = |place: &SegmentValue<i32>| match place {
            SegmentValue::CenterOf(place) => name_of(bars, count - 1 - place),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .set_all_tick_mark_size(0)
            .y_label_formatter(&name)
            .draw()?;
        for (place, (name, value)) in (0..count).rev().zip(bars) {
            let colour = if name == "spandrel" { OURS } else { OTHERS };
            let from = (0.0, SegmentValue::Exact(place));
            let mut bar =
                Rectangle::new([from, (*value, SegmentValue::Exact(place + 1))], colour.filled());
            bar.set_margin(2, 2, 0, 0);
            chart.draw_series([bar])?;
            let label = format!(" {value:.0}");
            let at = (*value, SegmentValue::CenterOf(place));
            chart.draw_series([Text::new(label, at, ("sans-serif", 12))])?;
        }
    }
    area.present()?;
    Ok(())
}

type Bars = Vec<(String, f64)>;

fn bars(tables: &[Table], row: &str) -> Option<(&'static str, Bars)> {
    let table = tables.iter().find(|table| table.rows.iter().any(|found| found.name == row))?;
    let bars = table.head.iter().filter_map(|peer| Some((peer.clone(), table.value(row, peer)?)));
    Some((table.title, bars.collect()))
}

fn name_of(bars: &Bars, place: i32) -> String {
    let bar = usize::try_from(place).ok().and_then(|place| bars.get(place));
    bar.map(|(name, _)| name.clone()).unwrap_or_default()
}
