#!/usr/bin/env bash
# Everything behind first-gain.md, from the shared files to the runs. Goes on where it was cut off.
# usage: docs/results/first-gain.sh OUT SEED...      (SHARED=../shared by default)
set -euo pipefail
out=$1
shift
data=${SHARED:-../shared}/data
photos=$data/photos/car_parts
export OMP_NUM_THREADS=1

# 360 photos to draw from, 40 to score on.
for part in "pool 0:360" "test 360:400"; do
  name=${part% *} range=${part#* }
  clearcoat dataset import coco "$photos/annotations.json" --images "$photos" \
    --map examples/classes/car_parts_13.yaml --shuffle 0 --select "$range" --out "$out/$name"
done

# 1,300 renders of the three shared vehicles.
clearcoat render examples/vehicles/bmw_m6.yaml --count 700 --seed 1 --size 128 --out "$out/bmw"
clearcoat render examples/vehicles/asam_vehicle.yaml --count 300 --seed 2 --size 128 --out "$out/asam"
clearcoat render examples/vehicles/car_concept.yaml --count 300 --seed 3 --size 128 --out "$out/concept"
clearcoat dataset merge "$out/bmw" "$out/asam" "$out/concept" --out "$out/renders"

train() {
  clearcoat train --recipe few-photos --real "$out/pool" --test "$out/test" --size 64 \
    --precision bf16 --threads 1 "$@"
}
for seed in "$@"; do
  runs=$out/runs/seed$seed
  # One pretraining on the renders serves both real counts; it sees no photo, not even to stop.
  train --seed "$seed" --real-count 0 --synthetic "$out/renders" --validation-source synthetic \
    --max-steps 1500 --out "$runs/renders"
  for real in 16 64; do
    train --seed "$seed" --real-count $real --out "$runs/real$real"
    train --seed "$seed" --real-count $real --init "$runs/renders" --out "$runs/real${real}_renders"
  done
done
