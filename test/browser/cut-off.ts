/** Whether choices are narrower than their longest text needs. */
export const areCutOff = (selects: Element[]) =>
  selects.map(select => {
    const free = select.cloneNode(true) as HTMLElement;
    free.style.cssText = 'position: absolute; width: auto';
    select.after(free);
    const wanted = free.offsetWidth;
    free.remove();
    return (select as HTMLElement).offsetWidth < wanted;
  });
