/** Copy a text to the clipboard. If the browser does not permit it, show the text in a prompt with a title. */
export async function copy(title: string, text: string): Promise<void> {
  try {
    // The clipboard API exists only over HTTPS and on localhost.
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copySelected(text)) prompt(title, text);
  }
}

function copySelected(text: string): boolean {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  area.style.position = "fixed";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}
