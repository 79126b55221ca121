/**
 * A photo small enough for the box, made on the phone: turned the right way up, at most 1280 px long and 96 KiB.
 * Drawing it anew also leaves behind where and with what it was taken (the box strips that once more). A user would
 * notice a mistake as a photo that is refused for its size, or lies on its side.
 */

/** As `edge/domain/gym/jpeg.py` MAX_BYTES. */
export const MAX_BYTES = 96 * 1024;
/** Longest sides that are tried, px, and how good each is saved: sharp and small shows more than blurred. */
const SIDES = [1280, 1024, 800, 640, 480] as const;
const QUALITIES = [0.82, 0.7, 0.55] as const;

export interface Photo {
  blob: Blob;
  /** `data:` address for the preview; the CSP lets no other one in. */
  url: string;
  width: number;
  height: number;
}

/** The file is no picture that this browser can open. */
export class NoPicture extends Error {}

/** Makes `file` small; throws `NoPicture`. */
export async function shrink(file: Blob): Promise<Photo> {
  const picture = await opened(file);
  try {
    const longest = Math.max(picture.width, picture.height);
    for (const side of SIDES) {
      if (side > longest && side !== SIDES.at(-1)) continue;
      const scale = Math.min(1, side / longest);
      const canvas = drawn(picture, scale);
      for (const quality of QUALITIES) {
        const blob = await saved(canvas, quality);
        if (blob.size <= MAX_BYTES) return { blob, url: await addressOf(blob), ...sizeOf(canvas) };
      }
    }
  } finally {
    picture.close();
  }
  throw new NoPicture("too large at every size");
}

async function opened(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch (cause) {
    throw new NoPicture("cannot be decoded", { cause });
  }
}

function drawn(picture: ImageBitmap, scale: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  if (!pen) throw new NoPicture("no canvas");
  pen.fillStyle = "#fff"; // what was transparent would be black
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function sizeOf(canvas: HTMLCanvasElement): { width: number; height: number } {
  return { width: canvas.width, height: canvas.height };
}

function saved(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => {
        if (blob?.type === "image/jpeg") resolve(blob);
        else reject(new NoPicture("cannot be saved"));
      },
      "image/jpeg",
      quality,
    );
  });
}

function addressOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(typeof reader.result === "string" ? reader.result : "");
    };
    reader.onerror = () => {
      reject(new NoPicture("cannot be read"));
    };
    reader.readAsDataURL(blob);
  });
}
