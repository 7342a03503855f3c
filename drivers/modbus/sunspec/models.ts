/**
 * The SunSpec models of batteries as tables: 1 (common), 802 (bank), 803 (lithium-ion bank),
 * 804 (string), 805 (module with its cells). Source: SunSpec model definitions, github.com/sunspec/models.
 */
import { type PointGroup, pointGroup } from './points.ts';

export interface Model {
  readonly id: number;
  readonly fixed: PointGroup;
  /** Repeats after the fixed part until the model's length is used up. */
  readonly repeated: PointGroup | undefined;
}

/** Registers of ID and L, which the model length does not count. */
export const MODEL_HEADER = 2;

const common: Model = {
  id: 1,
  fixed: pointGroup(
    'common',
    'ID u16, L u16, Mn str16, Md str16, Opt str8, Vr str8, SN str16, DA u16, Pad pad',
  ),
  repeated: undefined,
};

const batteryBase: Model = {
  id: 802,
  fixed: pointGroup(
    'battery',
    `ID u16, L u16, AHRtg u16*AHRtg_SF, WHRtg u16*WHRtg_SF, WChaRteMax u16*WChaDisChaMax_SF,
    WDisChaRteMax u16*WChaDisChaMax_SF, DisChaRte u16*DisChaRte_SF, SoCMax u16*SoC_SF,
    SoCMin u16*SoC_SF, SocRsvMax u16*SoC_SF, SoCRsvMin u16*SoC_SF, SoC u16*SoC_SF, DoD u16*DoD_SF,
    SoH u16*SoH_SF, NCyc u32, ChaSt e16, LocRemCtl e16, Hb u16, CtrlHb u16, AlmRst u16, Typ e16,
    State e16, StateVnd e16, WarrDt u32, Evt1 b32, Evt2 b32, EvtVnd1 b32, EvtVnd2 b32, V u16*V_SF,
    VMax u16*V_SF, VMin u16*V_SF, CellVMax u16*CellV_SF, CellVMaxStr u16, CellVMaxMod u16,
    CellVMin u16*CellV_SF, CellVMinStr u16, CellVMinMod u16, CellVAvg u16*CellV_SF, A s16*A_SF,
    AChaMax u16*AMax_SF, ADisChaMax u16*AMax_SF, W s16*W_SF, ReqInvState e16, ReqW s16*W_SF, SetOp e16,
    SetInvState e16, AHRtg_SF sf, WHRtg_SF sf, WChaDisChaMax_SF sf, DisChaRte_SF sf, SoC_SF sf,
    DoD_SF sf, SoH_SF sf, V_SF sf, CellV_SF sf, A_SF sf, AMax_SF sf, W_SF sf`,
  ),
  repeated: undefined,
};

const lithiumIonBank: Model = {
  id: 803,
  fixed: pointGroup(
    'lithium_ion_bank',
    `ID u16, L u16, NStr u16, NStrCon u16, ModTmpMax s16*ModTmp_SF, ModTmpMaxStr u16, ModTmpMaxMod u16,
    ModTmpMin s16*ModTmp_SF, ModTmpMinStr u16, ModTmpMinMod u16, ModTmpAvg s16*ModTmp_SF,
    StrVMax u16*V_SF, StrVMaxStr u16, StrVMin u16*V_SF, StrVMinStr u16, StrVAvg u16*V_SF,
    StrAMax s16*A_SF, StrAMaxStr u16, StrAMin s16*A_SF, StrAMinStr u16, StrAAvg s16*A_SF, NCellBal u16,
    CellV_SF sf, ModTmp_SF sf, A_SF sf, SoH_SF sf, SoC_SF sf, V_SF sf`,
  ),
  repeated: pointGroup(
    'string',
    `StrNMod u16, StrSt b32, StrConFail e16, StrSoC u16*SoC_SF, StrSoH u16*SoH_SF, StrA s16*A_SF,
    StrCellVMax u16*CellV_SF, StrCellVMaxMod u16, StrCellVMin u16*CellV_SF, StrCellVMinMod u16,
    StrCellVAvg u16*CellV_SF, StrModTmpMax s16*ModTmp_SF, StrModTmpMaxMod u16,
    StrModTmpMin s16*ModTmp_SF, StrModTmpMinMod u16, StrModTmpAvg s16*ModTmp_SF, StrDisRsn e16,
    StrConSt b32, StrEvt1 b32, StrEvt2 b32, StrEvtVnd1 b32, StrEvtVnd2 b32, StrSetEna e16,
    StrSetCon e16, Pad1 pad, Pad2 pad`,
  ),
};

const lithiumIonString: Model = {
  id: 804,
  fixed: pointGroup(
    'lithium_ion_string',
    `ID u16, L u16, Idx u16, NMod u16, St b32, ConFail e16, NCellBal u16, SoC u16*SoC_SF,
    DoD u16*DoD_SF, NCyc u32, SoH u16*SoH_SF, A s16*A_SF, V u16*V_SF, CellVMax u16*CellV_SF,
    CellVMaxMod u16, CellVMin u16*CellV_SF, CellVMinMod u16, CellVAvg u16*CellV_SF,
    ModTmpMax s16*ModTmp_SF, ModTmpMaxMod u16, ModTmpMin s16*ModTmp_SF, ModTmpMinMod u16,
    ModTmpAvg s16*ModTmp_SF, Pad1 pad, ConSt b32, Evt1 b32, Evt2 b32, EvtVnd1 b32, EvtVnd2 b32,
    SetEna e16, SetCon e16, SoC_SF sf, SoH_SF sf, DoD_SF sf, A_SF sf, V_SF sf, CellV_SF sf,
    ModTmp_SF sf, Pad2 pad, Pad3 pad, Pad4 pad`,
  ),
  repeated: pointGroup(
    'lithium_ion_string_module',
    `ModNCell u16, ModSoC u16*SoC_SF, ModSoH u16*SoH_SF, ModCellVMax u16*CellV_SF, ModCellVMaxCell u16,
    ModCellVMin u16*CellV_SF, ModCellVMinCell u16, ModCellVAvg u16*CellV_SF,
    ModCellTmpMax s16*ModTmp_SF, ModCellTmpMaxCell u16, ModCellTmpMin s16*ModTmp_SF,
    ModCellTmpMinCell u16, ModCellTmpAvg s16*ModTmp_SF, Pad5 pad, Pad6 pad, Pad7 pad`,
  ),
};

const lithiumIonModule: Model = {
  id: 805,
  fixed: pointGroup(
    'lithium-ion-module',
    `ID u16, L u16, StrIdx u16, ModIdx u16, NCell u16, SoC u16*SoC_SF, DoD u16*DoD_SF, SoH u16*SoH_SF,
    NCyc u32, V u16*V_SF, CellVMax u16*CellV_SF, CellVMaxCell u16, CellVMin u16*CellV_SF,
    CellVMinCell u16, CellVAvg u16*CellV_SF, CellTmpMax s16*Tmp_SF, CellTmpMaxCell u16,
    CellTmpMin s16*Tmp_SF, CellTmpMinCell u16, CellTmpAvg s16*Tmp_SF, NCellBal u16, SN str16,
    SoC_SF sf, SoH_SF sf, DoD_SF sf, V_SF sf, CellV_SF sf, Tmp_SF sf`,
  ),
  repeated: pointGroup('lithium-ion-module-cell', 'CellV u16*CellV_SF, CellTmp s16*Tmp_SF, CellSt b32'),
};

export const MODELS: ReadonlyMap<number, Model> = new Map(
  [common, batteryBase, lithiumIonBank, lithiumIonString, lithiumIonModule].map(model => [model.id, model]),
);

/**
 * How often the repeated group stands in a model of this length. Counted from the length, not from the
 * device's own count: model 805 leaves the count to be derived.
 */
export function repeatCount(model: Model, length: number): number {
  if (!model.repeated) return 0;
  return Math.max(0, Math.floor((length + MODEL_HEADER - model.fixed.size) / model.repeated.size));
}
