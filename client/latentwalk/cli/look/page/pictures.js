// Pictures beside one another, as large as there is room.

import { Failure } from "./asking.js";

const GAP = 6;
const NARROW = matchMedia("(max-width: 54rem)");

export async function decoded(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {
    throw new Failure(400, "this browser cannot show pictures that travel so; choose another form of them");
  });
  return picture;
}

// What is enlarged is so by a whole number of the screen's own pixels: each of the picture's stays a square.
function whole(scale) {
  const onScreen = scale * devicePixelRatio;
  return onScreen > 1 ? Math.floor(onScreen) / devicePixelRatio : scale;
}

// In as many columns as make the pictures, which are `width` by `height`, the largest; of those with the fewest gaps, in
// the most.
export function fit(stage, width, height) {
  const pictures = [...stage.children];
  const wide = stage.clientWidth;
  const high = window.innerHeight * (NARROW.matches ? 0.4 : 0.72);
  let best = { scale: 0 };
  for (let columns = 1; columns <= pictures.length; columns += 1) {
    const rows = Math.ceil(pictures.length / columns);
    const x = (wide - GAP * (columns - 1)) / (columns * width);
    const y = (high - GAP * (rows - 1)) / (rows * height);
    const [scale, gaps] = [whole(Math.min(x, y)), columns * rows - pictures.length];
    if (scale > best.scale || (scale === best.scale && gaps <= best.gaps)) best = { scale, gaps, columns };
  }
  stage.style.setProperty("--columns", best.columns);
  for (const picture of pictures) {
    picture.style.width = `${width * best.scale}px`;
    picture.classList.toggle("enlarged", best.scale * devicePixelRatio > 1);
  }
}
