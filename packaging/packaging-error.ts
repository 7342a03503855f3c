/** Why no package can be made, in words for whoever wanted one. */
export class PackagingError extends Error {}
